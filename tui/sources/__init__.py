"""Ways to learn the truth about limits and the bank; `base` is what the rest of the program knows of them."""
