"""NetworkPolicies: what they allow, the rules of nftables that hold pods to it, and whoever keeps these current."""
