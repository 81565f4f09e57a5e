"""Understanding: from the words of a prompt to a plan of its scene."""
