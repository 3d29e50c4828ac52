"""What the NORMAL action works with: bundles, learned stations, groups of listeners, mirrors."""
