"""The application for a WSGI server, as in `granian --interface wsgi wsgi:app`."""

from ila.app import create_app

app = create_app()
