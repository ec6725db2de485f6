// CommonJS: require() and module.exports in place of import and export.
const http = require('k6/http');
const { sleep } = require('k6');

module.exports.options = { vus: 2, duration: '1s' };

module.exports.default = function () {
  http.get(`${__ENV.TARGET}/commonjs`);
  sleep(0.03);
};
