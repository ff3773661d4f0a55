"""JSON for machines under `/api/v1`: one file per resource, schemas first, then views."""
