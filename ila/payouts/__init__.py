"""Money sent to providers for settled redemptions, each of which is paid once."""
