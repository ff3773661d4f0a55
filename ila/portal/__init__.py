"""Pages for people, rendered on the server: one package per audience."""

from flask import Blueprint, Flask

BLUEPRINTS: tuple[Blueprint, ...] = ()
"""The audiences, in the order they are documented."""


def register(app: Flask) -> None:
    """Add every blueprint to the application."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
