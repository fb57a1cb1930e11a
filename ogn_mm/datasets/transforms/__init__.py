from .seeding import SeedAugmentation

__all__ = ['SeedAugmentation']
