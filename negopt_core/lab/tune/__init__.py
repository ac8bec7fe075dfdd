"""`audit` and `tune` on this machine: the painter, the scorers, the report."""
