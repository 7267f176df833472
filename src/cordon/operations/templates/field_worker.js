import { start } from {{ asset("field/worker.js")|tojson }};
start([{% for name in assets %}{{ asset(name)|tojson }}{% if not loop.last %}, {% endif %}{% endfor %}]);
