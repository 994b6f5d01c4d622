# SPDX-License-Identifier: Apache-2.0
"""The exchange: who may say what when, without I/O. Frames in, frames and events out."""
