# SPDX-License-Identifier: Apache-2.0
"""The messages of Wi-Fi Easy Connect: frozen dataclasses that are read from frames and written.

Each message with wrapped data has two halves: what everybody sees, which is read without a key and
holds a `Sealed`, and what was sealed, which is read after it was opened.
"""
