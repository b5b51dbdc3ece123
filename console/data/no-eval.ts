/** Imported before any schema: zod would compile its checks with `new Function`, which the page's content policy refuses. */
import * as z from 'zod';

z.config({ jitless: true });
