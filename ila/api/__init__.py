"""JSON for machines under `/api/v1`: one file per resource, schemas first, then views."""

from flask import Blueprint, Flask

BLUEPRINTS: tuple[Blueprint, ...] = ()
"""The resources, in the order they are documented."""


def register(app: Flask) -> None:
    """Add every blueprint to the application."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
