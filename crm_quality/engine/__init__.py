"""How frames are fed to the pure stages, and what they give is stored."""
