# SPDX-License-Identifier: Apache-2.0
"""demo: a package, for `constrictor exec -m demo`."""
