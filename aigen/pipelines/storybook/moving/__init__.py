"""Moving: what each kind of thing does with time, the camera, and what falls from the sky."""
