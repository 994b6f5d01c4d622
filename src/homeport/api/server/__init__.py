# SPDX-License-Identifier: Apache-2.0
"""The people's door on the platform: `app.make_app` builds it, one file a resource answers."""
