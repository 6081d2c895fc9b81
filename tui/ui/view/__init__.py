"""What is shown, as pure text: state, time and width in, spans with levels out; the commands print it too."""
