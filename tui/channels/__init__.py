"""Ways to tell a person outside the screen; one module per channel, each with `open_channel(settings)`."""
