"""Models that have weights: which there are, getting them, and how this machine can run them.

catalogue   the models that have a short name
weights     what is here, whole and safe
downloads   getting models, from the hub or a folder, and removing them
machine     device, precision and offload from figures alone, with the reasons
device      what torch sees of this machine, and how its libraries are kept quiet
"""
