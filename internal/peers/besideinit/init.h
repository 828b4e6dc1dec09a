// SPDX-License-Identifier: Apache-2.0

void init(void);
int init_called(void);
