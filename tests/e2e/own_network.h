// Answers: how does a test keep its ports, 9229 above all, to itself and what it starts?
#pragma once

namespace ebbtide {

// Moves this process, and what it starts from now on, into a network namespace with nothing but a
// loopback interface. Needs root; false: still in the old one.
bool enter_own_network();

}  // namespace ebbtide
