"""How well the bot understands authors it has never read: `python dev.py evaluate`."""
