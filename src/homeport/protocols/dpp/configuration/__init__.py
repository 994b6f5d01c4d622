# SPDX-License-Identifier: Apache-2.0
"""What is inside the configuration messages: JSON objects, credentials and connectors."""
