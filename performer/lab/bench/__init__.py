"""`performer bench`: the hot path measured beside a peer or a bare loop, in one run."""
