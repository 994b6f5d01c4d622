# SPDX-License-Identifier: Apache-2.0
"""The program `homeport serve`, and the operator's commands."""
