"""Scheduling: what people have to do and when, who is reminded, whose move it is, who is away."""
