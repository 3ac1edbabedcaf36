// Answers: how does a vector of a gigabyte come into memory without a page fault for every four
// kilobytes of it? Those faults cost more than to read the file.
#pragma once

#include <cstddef>
#include <vector>

namespace ebbtide {

// Asks for huge pages where the whole of them lies in the memory. A hint: it may have no effect.
void advise_big_pages(void* memory, std::size_t bytes);

template <class T>
void reserve_in_big_pages(std::vector<T>& vector, std::size_t size) {
  vector.reserve(size);
  advise_big_pages(vector.data(), size * sizeof(T));
}

template <class T>
void assign_in_big_pages(std::vector<T>& vector, std::size_t size, const T& value) {
  reserve_in_big_pages(vector, size);
  vector.assign(size, value);
}

}  // namespace ebbtide
