# SPDX-License-Identifier: Apache-2.0
"""What is printed: labels as codes (`labels`) and on sticker sheets (`sheets`)."""
