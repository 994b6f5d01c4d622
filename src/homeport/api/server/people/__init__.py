# SPDX-License-Identifier: Apache-2.0
"""How people and programs show who they are: cookies, keys, passwords, the first set-up."""
