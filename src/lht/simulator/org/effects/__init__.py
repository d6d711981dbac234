"""What follows from a change: fields filled in from others, histories, shares, roll-ups, last activities."""
