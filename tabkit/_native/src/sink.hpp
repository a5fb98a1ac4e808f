// Text that grows: kernels write behind ``at`` and ask for room first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tabkit {

// Memory owned by whoever set ``grow``, which makes room for at least that many bytes more,
// keeping what is written, or throws.
struct Sink {
    char* at;
    char* end;
    void (*grow)(Sink& sink, size_t bytes);
    void* owner;

    void reserve(size_t bytes) {
        if (static_cast<size_t>(end - at) < bytes) grow(*this, bytes);
    }
};

}  // namespace tabkit
