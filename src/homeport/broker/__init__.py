# SPDX-License-Identifier: Apache-2.0
"""The message broker: a NATS server, ours or a given one, and who may do what there.

`EmbeddedBroker` runs one; `BrokerLink` answers its questions, listens and speaks. Other brokers
join as other adapters with the same methods. docs/protocols/mqtt.md
"""
