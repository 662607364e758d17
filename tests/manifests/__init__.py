"""The Kubernetes manifests, rendered and held against what the processes really read."""
