// node PROGRAM DIRECTORY LOOKS: a heap snapshot before the first connection and after each hundred.
'use strict';
const v8 = require('v8');

const connectionsPerLook = 100;

async function settle() {
  for (let i = 0; i < 3; ++i) await new Promise((resolve) => setImmediate(resolve));
}

exports.takeLooks = async (connect) => {
  const [directory, looks] = process.argv.slice(2);
  let id = 1;
  for (let look = 0; look < Number(looks); ++look) {
    for (let i = 0; look > 0 && i < connectionsPerLook; ++i) connect(id++);
    await settle();
    v8.writeHeapSnapshot(`${directory}/${look}.heapsnapshot`);
  }
  process.exit(0);
};
