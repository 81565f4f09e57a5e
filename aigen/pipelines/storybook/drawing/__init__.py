"""Drawing: light, artwork in that light, and what stands still around the things."""
