"""What is shown, as pure text: state, time and width in, spans with levels out; the commands print it too.

Everywhere `view` is what to show, `width` the columns to stay within, `now` the moment that dates and countdowns are
for, `zone` the reader's zone; and a `short` room is one in which rows are scarce.
"""
