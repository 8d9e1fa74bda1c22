"""Dossiers (一人一档、一企一档): who may open one and what for, what is shown of it, and how it is told to those it is about."""
