"""Trainings that run beside a server, in processes of their own."""
