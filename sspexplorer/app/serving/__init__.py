"""What a server does for all its visitors: whom it lets in, what it says and what it logs."""
