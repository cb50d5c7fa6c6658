"""Visitors share processors, so that each computation has one.

A picture's few hundred rows are done in milliseconds. Where other visitors are computing, too,
threads that share such a matrix product mostly wait for each other, and keep a processor busy with
it: on two busy cores a picture took more than three times the processor time.
"""

import torch


def one_for_each() -> None:
    """Have torch compute on the thread that asks, from now on in all threads of this process."""
    torch.set_num_threads(1)
