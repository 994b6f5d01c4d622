# SPDX-License-Identifier: Apache-2.0
"""What goes over the people's door: one file a resource, shared by server and client.

Rules: every text has a length, and what is stored comes back unchanged; a document that has a field
too many is refused; instants are RFC 3339 in UTC.
"""
