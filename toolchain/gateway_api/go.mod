module k8s-helpers.dev/toolchain/gateway-api

go 1.26.2

require sigs.k8s.io/gateway-api v1.6.1
