"""What resetbank knows and decides: pure values and functions, standard library only, every function given `now`."""
