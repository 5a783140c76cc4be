"""The machine: process, web server, platforms, timers, sending."""

__version__ = "0.1.0"
