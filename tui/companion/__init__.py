"""The program without a screen: it polls, folds, spends and publishes one frozen State."""
