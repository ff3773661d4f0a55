"""The web application: settings, database, blueprints, health, and the headers every answer carries."""
