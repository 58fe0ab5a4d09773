"""What recordings of this lab name: codes, for whoever reads them."""

NO_LIMIT = "no-limit"
"""Name of the run whose container has no processor limit; that of others is their limit ("500m")."""
NO_LIMIT_IN_SUMMARY = "sans"
"""Its name in `summary.json`."""
