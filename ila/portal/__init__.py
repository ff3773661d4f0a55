"""Pages for people, rendered on the server: one package per audience."""
