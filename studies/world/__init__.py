"""`world report`: what the world's papers' effects measure, from painted pictures, with intervals."""
