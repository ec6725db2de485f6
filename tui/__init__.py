"""Flashpoint's program: command line, session, model, views and the Textual screen."""
