# SPDX-License-Identifier: Apache-2.0
"""Operational messages over MQTT 3.1.1: docs/protocols/mqtt.md."""
